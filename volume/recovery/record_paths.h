// What a record changes on a copy that may lack it: paths, nodes, attributes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/record/kinds.h"

namespace hawser {

// Whether some path holds another node with the record, or none any more.
bool ChangesNames(const Body& body);

// The path whose node loses that name by the record; null: none does.
const StorePath* NameTakenBy(const Body& body);
// What a rename replaces or exchanges.
FileId ReplacedBy(const Body& body);

// The paths that a record is about; those that aren't right without it; those that hold another node with it.
std::vector<StorePath> PathsOf(const Body& body);
std::vector<StorePath> PathsLeftBy(const Body& body);
std::vector<StorePath> NewNamesOf(const Body& body);

// `path`, which lies at or below `from`, once that is called `to`.
StorePath Moved(const StorePath& path, const StorePath& from, const StorePath& to);
// The node of a record that changes no names is now called so.
void CallIt(Body& body, const StorePath& path);

// The xattr that the record is about; null: none.
const std::string* XattrOf(const Body& body);
// The mode that a change of data sets; and the attributes.
std::optional<std::uint32_t> ModeOf(const Body& body);
template <class R>
SetAttr TimesOf(const R& r) {
  return {r.file, r.path, r.mode, {}, {}, {}, r.mtime};
}

// Takes from `old` what a later change of the same node sets again. false: nothing is left.
bool LeaveOut(SetAttr& old, const SetAttr& later);
// Whether what an earlier record changed on a node covers what this one does; attributes are added to it.
bool Includes(Body& old, const Body& later);

}  // namespace hawser
