// File descriptors, of which a process has only so many, and what is kept free of them.
//
// The kernel gives the lowest free number. So as long as nothing that lasts lies at or above a mark, all from
// the mark up to the limit can be had at any moment: nobody needs to count. What programs hold (their open
// files) stays below one mark, what calls hold while they wait below a second one; the rest is there for
// applying, checkpoints and journals, which must always find a descriptor.
#pragma once

#include <cstdint>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace hawser {

// As many descriptors as the system allows this process.
void RaiseDescriptorLimit();

// Whether it says that the process, or the machine, has no descriptor left: that passes.
bool IsNoDescriptor(const Error& error);

enum class HeldFor : std::uint8_t {
  kProgram,  // as long as a program, or a peer, likes
  kCall,     // for the length of one call
};

// From this number on descriptors are not for this use.
std::uint64_t DescriptorMark(HeldFor use);

// `fd`, if it may be held for this use, else EMFILE.
Result<UniqueFd> KeepFor(HeldFor use, UniqueFd fd);

// A number taken in advance, before something that can't be taken back.
class DescriptorPlace {
 public:
  // EMFILE if there is none for this use.
  static Result<DescriptorPlace> Take(HeldFor use);

  // Puts `fd` there.
  Result<UniqueFd> Fill(UniqueFd fd) &&;

 private:
  explicit DescriptorPlace(UniqueFd place) : place_(std::move(place)) {}

  UniqueFd place_;
};

}  // namespace hawser
