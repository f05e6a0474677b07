// What one operation works with. Internal to churn.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "common/base/unique_fd.h"
#include "tests/support/churn/rng.h"

namespace hawser::test {

constexpr std::size_t kChurnMaxWrite = 64 * 1024;
constexpr std::size_t kChurnFileSpan = 256 * 1024;  // offsets stay below

// One thread's state.
struct Worker {
  unsigned index = 0;
  int root = -1;               // the folder, not owned
  std::vector<UniqueFd> held;  // open files that outlive renames and unlinks of their names
  std::vector<char> model;     // what the thread's own file holds
  char* aligned = nullptr;     // kChurnMaxWrite bytes for O_DIRECT
  UniqueFd memory;             // a memfd with random bytes, the source of writes through mappings
};

// The outcome of an operation: 0, an errno that races explain, or a failure.
struct Outcome {
  int code = 0;
  std::string failure;  // empty: fine
};

Outcome Fine();
Outcome Failed(std::string what);
// `result` of a system call that has just returned: 0 if it succeeded, its errno if in `expected`, else a
// failure.
Outcome Expect(long result, const char* call, const std::string& path, std::initializer_list<int> expected);

struct Operation {
  const char* name;
  unsigned weight;
  Outcome (*run)(Worker&, Rng&);
};

// Tables of operations by family.
const std::vector<Operation>& NameOperations();       // create, rename, link, unlink, mkdir, ...
const std::vector<Operation>& DataOperations();       // write, truncate, fallocate, mmap, held files, ...
const std::vector<Operation>& AttributeOperations();  // chmod, xattrs, stat, readdir, ...
const std::vector<Operation>& OwnFileOperations();    // on the thread's own file, content checked

// Names. Few, so that threads meet.
std::string RandomFolder(Rng& rng, std::uint64_t depth);  // "d1/d0", "" for depth 0
std::string RandomFile(Rng& rng);                         // "d1/f7", "f3", now and then through a symlink
std::string RandomNode(Rng& rng);                         // a file, folder, symlink or special file

// Opens a name for content. A link may have made it one of a fifo or a device: none and ENXIO then. Never
// blocks.
UniqueFd OpenRegular(Worker& worker, const std::string& path, int flags);

// Fills `size` bytes from the generator.
void FillRandom(Rng& rng, char* to, std::size_t size);

}  // namespace hawser::test
