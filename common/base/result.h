// Results and errors.
//
// An Error keeps the errno that a FUSE caller gets, and a sentence that says what was attempted and where. A
// Result<T> is either a T or an Error and cannot be ignored. Exceptions of libraries are caught where the
// library is called and become Errors there.
#pragma once

#include <cerrno>
#include <string>
#include <utility>
#include <variant>

namespace hawser {

struct Error {
  int code = EIO;       // errno; never 0
  std::string message;  // what was done to which thing, without the errno's text

  // "cannot open /srv/docs.store: Permission denied"
  std::string Text() const;
};

// Whether it says that a disk or a quota is full.
bool IsNoRoom(const Error& error);

// The error of the system call that has just failed, from errno.
Error ErrnoError(std::string what);
// As above, with `path` named in quotes.
Error ErrnoError(std::string what, const std::string& path);

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}

  explicit operator bool() const { return ok_; }
  const Error& error() const& { return error_; }
  Error&& error() && { return std::move(error_); }

 private:
  Error error_;
  bool ok_ = true;
};

using Status = Result<void>;

}  // namespace hawser

#define HAWSER_CONCAT_(a, b) a##b
#define HAWSER_CONCAT(a, b) HAWSER_CONCAT_(a, b)

#define HAWSER_TRY_(result, expression)                                        \
  do {                                                                         \
    if (auto result = (expression); !result) return std::move(result).error(); \
  } while (false)
#define HAWSER_ASSIGN_(result, target, expression) \
  auto result = (expression);                      \
  if (!result) return std::move(result).error();   \
  target = *std::move(result)

// HAWSER_TRY(DoSomething()): its error, if it has one, is returned from the enclosing function.
#define HAWSER_TRY(expression) HAWSER_TRY_(HAWSER_CONCAT(hawser_status_, __LINE__), expression)

// HAWSER_ASSIGN(auto fd, OpenSomething()): the value, or the error is returned from the enclosing function.
#define HAWSER_ASSIGN(target, expression) \
  HAWSER_ASSIGN_(HAWSER_CONCAT(hawser_result_, __LINE__), target, expression)
