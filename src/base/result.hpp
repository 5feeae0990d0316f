#pragma once
// Errors that a request can cause travel as values; exceptions are for bugs and exhaustion and are
// caught once per request (docs/ARCHITECTURE.md, "Errors").

#include <expected>
#include <utility>

#define MUSTER_CONCAT_INNER(a, b) a##b
#define MUSTER_CONCAT(a, b) MUSTER_CONCAT_INNER(a, b)

#define MUSTER_TRY_ASSIGN(temporary, declaration, return_keyword, ...)            \
    auto temporary = (__VA_ARGS__);                                               \
    if (!temporary) return_keyword std::unexpected(std::move(temporary).error()); \
    declaration = *std::move(temporary)

/// TRY_ASSIGN(auto value, may_fail()): declares `value`, or returns the error from this function.
/// Two statements: never the sole body of an `if` or a loop.
#define TRY_ASSIGN(declaration, ...) \
    MUSTER_TRY_ASSIGN(MUSTER_CONCAT(try_result_, __LINE__), declaration, return, __VA_ARGS__)
/// The same inside a coroutine.
#define CO_TRY_ASSIGN(declaration, ...) \
    MUSTER_TRY_ASSIGN(MUSTER_CONCAT(try_result_, __LINE__), declaration, co_return, __VA_ARGS__)

#define MUSTER_TRY_VOID(temporary, return_keyword, ...) \
    if (auto temporary = (__VA_ARGS__); !temporary)     \
    return_keyword std::unexpected(std::move(temporary).error())

/// TRY_VOID(may_fail()): returns the error from this function, or goes on.
#define TRY_VOID(...) MUSTER_TRY_VOID(MUSTER_CONCAT(try_result_, __LINE__), return, __VA_ARGS__)
#define CO_TRY_VOID(...) \
    MUSTER_TRY_VOID(MUSTER_CONCAT(try_result_, __LINE__), co_return, __VA_ARGS__)
