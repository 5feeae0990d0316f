#pragma once
// What a server declares of itself: ServiceProviderConfig, ResourceTypes and Schemas, and by a
// look at the endpoints that no document speaks of.

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "conform/exchange.hpp"
#include "conform/match.hpp"
#include "json/json.hpp"

namespace muster::conform {

class Features {
  public:
    /// Asks the server. A document that cannot be read declares everything: then nothing excuses a
    /// failure.
    [[nodiscard]] static Features read(const Send& send, const Headers& headers,
                                       const std::string& base_path);

    /// `need` as checks write it: "sort", "!sort", "type Group", "attribute User:title",
    /// "pagination.cursor", "me". An unknown word is not declared.
    [[nodiscard]] bool declares(std::string_view need) const;

    /// {bulk.maxOperations}, {filter.maxResults} and the like.
    void set_variables(Variables& variables) const;

    /// From the documents themselves; null: it could not be read.
    static Features of(const json::Object* config, const json::Object* types,
                       const json::Object* schemas);

  private:
    void take_config(const json::Object& config);
    void take_types(const json::Object& types);
    void take_schemas(const json::Object& schemas);

    bool config_read_ = false;
    bool types_read_ = false;
    bool schemas_read_ = false;
    std::set<std::string, std::less<>> supported_;   ///< "sort", "pagination.cursor", "me"
    std::set<std::string, std::less<>> types_;       ///< "user"
    std::set<std::string, std::less<>> attributes_;  ///< "user:name.givenname", lower case
    std::map<std::string, std::string> numbers_;     ///< "bulk.maxOperations"
};

}  // namespace muster::conform
