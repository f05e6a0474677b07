#include "common/record/record.h"

#include <fmt/format.h>

#include "common/record/kinds.h"

namespace hawser {

namespace {

std::string Id(FileId file) {
  return file == kNoFileId ? std::string() : fmt::format(" id {:x}", file.value);
}

std::string Seconds(Timestamp time) {
  return fmt::format("{}.{:09}", time.nanoseconds / 1'000'000'000, time.nanoseconds % 1'000'000'000);
}

// What a record does, after the kind and the volume.
struct Describer {
  std::string operator()(const Write& r) const {
    return fmt::format("'{}'{} at {} +{}", r.path.Printable(), Id(r.file), r.offset, r.length);
  }
  std::string operator()(const Truncate& r) const {
    return fmt::format("'{}'{} to {}", r.path.Printable(), Id(r.file), r.size);
  }
  std::string operator()(const Allocate& r) const {
    return fmt::format("'{}'{} flags {:#x} at {} +{}", r.path.Printable(), Id(r.file), r.flags, r.offset,
                       r.length);
  }
  std::string operator()(const Create& r) const {
    std::string text = fmt::format("{} '{}'{} mode {:04o} owner {}:{}", NameOf(r.kind), r.path.Printable(),
                                   Id(r.file), r.mode, r.uid, r.gid);
    if (r.kind == NodeKind::kSymlink) text += fmt::format(" -> '{}'", r.target);
    return text;
  }
  std::string operator()(const Link& r) const {
    return fmt::format("'{}' to '{}'{}", r.path.Printable(), r.new_path.Printable(), Id(r.file));
  }
  std::string operator()(const OneOf<Unlink, Rmdir> auto& r) const {
    return fmt::format("'{}'{}", r.path.Printable(), Id(r.file));
  }
  std::string operator()(const Rename& r) const {
    std::string text = fmt::format("'{}' to '{}'{}", r.path.Printable(), r.new_path.Printable(), Id(r.file));
    if (r.mode == RenameMode::kExchange) return text + " exchanging" + Id(r.replaced.value_or(kNoFileId));
    if (r.replaced) text += " replacing" + Id(*r.replaced);
    return text;
  }
  std::string operator()(const SetAttr& r) const {
    std::string text = fmt::format("'{}'{}", r.path.Printable(), Id(r.file));
    if (r.mode) text += fmt::format(" mode {:04o}", *r.mode);
    if (r.uid) text += fmt::format(" uid {}", *r.uid);
    if (r.gid) text += fmt::format(" gid {}", *r.gid);
    if (r.atime) text += " atime " + Seconds(*r.atime);
    if (r.mtime) text += " mtime " + Seconds(*r.mtime);
    return text;
  }
  std::string operator()(const OneOf<SetXattr, RemoveXattr> auto& r) const {
    return fmt::format("'{}'{} {}", r.path.Printable(), Id(r.file), r.name);
  }
  std::string operator()(const Promote& r) const {
    if (r.previous.value.empty()) return fmt::format("node {}", r.node.value);
    return fmt::format("node {}, {} {} at record {}", r.node.value,
                       r.planned ? "planned, in the place of" : "in the place of", r.previous.value,
                       r.acknowledged.value);
  }
  std::string operator()(const NodeSession& r) const {
    std::uint64_t answered = 0;
    for (const AnsweredRun& run : r.answered) answered += run.count;
    return answered == 0 ? std::string("begins") : fmt::format("with the answers to {} numbers", answered);
  }
  std::string operator()(const Mark& r) const { return fmt::format("'{}'", r.text); }
};

}  // namespace

std::string Describe(const Record& record) {
  const std::string about = record.volume.value.empty()
                                ? fmt::format("{} of {}", record.origin.session, record.origin.node.value)
                                : record.volume.value;
  return fmt::format("{} {} {}", KindName(record.body), about, std::visit(Describer{}, record.body));
}

}  // namespace hawser
