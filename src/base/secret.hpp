#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <openssl/crypto.h>

namespace muster {

/// Text that must never reach a log, an error or a dump: it has no stream operator and no implicit
/// conversion, and its bytes are wiped when it goes. Movable only.
class Secret {
  public:
    Secret() = default;
    explicit Secret(std::string text) : text_(std::move(text)) {}
    Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
    Secret& operator=(Secret&& other) noexcept {
        wipe();
        text_ = std::move(other.text_);
        other.wipe();
        return *this;
    }
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    ~Secret() { wipe(); }

    /// The text itself. Each call is a place to review.
    [[nodiscard]] std::string_view reveal() const { return text_; }
    [[nodiscard]] bool empty() const { return text_.empty(); }

  private:
    void wipe() noexcept {
        if (!text_.empty()) OPENSSL_cleanse(text_.data(), text_.size());
        text_.clear();
    }

    std::string text_;
};

/// A text for people, into which a command line may have gone, without what looks like a secret in
/// it: what stands before the @ of a URL or of what was meant as one, and Muster's tokens.
[[nodiscard]] std::string without_secrets(std::string_view text);

}  // namespace muster
