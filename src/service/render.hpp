#pragma once
// From stored rows to the resource that a client sees.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "scim/projection/projection.hpp"
#include "scim/schema/schema.hpp"
#include "store/types.hpp"

namespace muster::service {

/// What a resource has in rows rather than in its document.
struct Relations {
    std::vector<store::Reference> groups;     ///< of a user (User.groups)
    std::vector<store::Reference> members;    ///< of a group (Group.members)
    std::optional<store::Reference> manager;  ///< of a user, where manager.value is somebody's id
};

/// Renders resources of one connector's view. Cheap to make; holds references.
class Renderer {
  public:
    Renderer(const scim::Catalog& catalog, std::string_view base_url)
        : catalog_(catalog), base_url_(base_url) {}

    /// Appends the resource as JSON. With the default projection the stored text is spliced, not
    /// parsed: the cost is that of copying it.
    void append(std::string& out, const scim::ResourceType& type, const store::Record& record,
                const Relations& relations, const scim::Projection& projection) const;
    [[nodiscard]] std::string render(const scim::ResourceType& type, const store::Record& record,
                                     const Relations& relations,
                                     const scim::Projection& projection) const;

    /// The same of a resource with more members than are held at once: all else, and its members
    /// last, by as many calls of append_members as it takes, between open and close.
    void open(std::string& out, const scim::ResourceType& type, const store::Record& record,
              const scim::Projection& projection) const;
    /// `listed`: others stand before these. Whether any was appended.
    bool append_members(std::string& out, const scim::ResourceType& type,
                        std::span<const store::Reference> members,
                        const scim::Projection& projection, bool listed) const;
    static void close(std::string& out) { out.append("]}"); }

    /// The whole resource as a value, for filters and projections.
    [[nodiscard]] json::Object object(const scim::ResourceType& type, const store::Record& record,
                                      const Relations& relations) const;

    [[nodiscard]] std::string location(const scim::ResourceType& type, std::string_view id) const;

  private:
    /// The document without its last brace, its manager as it is now.
    void append_document(std::string& out, std::string_view document,
                         const std::optional<store::Reference>& manager) const;
    void append_references(std::string& out, std::string_view name,
                           std::span<const store::Reference> references, bool of_user) const;
    /// Its elements, separated by commas.
    void append_elements(std::string& out, std::span<const store::Reference> references,
                         bool of_user) const;
    void append_relations_and_meta(std::string& out, const scim::ResourceType& type,
                                   const store::Record& record, const Relations& relations) const;

    const scim::Catalog& catalog_;
    std::string_view base_url_;
};

}  // namespace muster::service
