#include "common/config/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "common/config/yaml_advice.h"
#include "common/config/yaml_lines.h"

namespace hawser {
namespace {

int LineOf(const YAML::Mark& mark) { return mark.is_null() ? 1 : mark.line + 1; }

// A fault that yaml-cpp doesn't see; caught in ParseYaml.
struct Refused : std::exception {
  explicit Refused(YamlFault why) : fault(std::move(why)) {}
  YamlFault fault;
};

[[noreturn]] void Refuse(int line, const std::string& what) { throw Refused({line, what}); }

// Builds the tree from the parser's events. Events instead of YAML::Node: they show duplicate keys, anchors
// and tags, and nothing is expanded.
class TreeBuilder : public YAML::EventHandler {
 public:
  YamlNode Take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark& mark, const std::string&) override { RefuseAnchors(LineOf(mark)); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { RefuseAnchors(LineOf(mark)); }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Add(LineOf(mark), anchor, "?", [](YamlNode&) {});
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (ExpectsKey()) return OnKey(LineOf(mark), tag, anchor, value);
    Add(LineOf(mark), anchor, tag, [&](YamlNode& node) {
      node.kind = YamlNode::Kind::kScalar;
      node.line = LineOf(mark);
      node.quoted = tag == "!";
      node.scalar = value;
    });
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(LineOf(mark), tag, anchor, YamlNode::Kind::kSequence);
  }
  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(LineOf(mark), tag, anchor, YamlNode::Kind::kMapping);
  }
  void OnMapEnd() override { Close(); }

 private:
  // A list or mapping that is being filled. The node lives in its parent's vector, which doesn't grow
  // meanwhile.
  struct Level {
    YamlNode* node;
    bool key_given = false;
  };

  [[noreturn]] static void RefuseAnchors(int line) {
    Refuse(line, "anchors (&name) and aliases (*name) are not supported; write the value out");
  }

  bool ExpectsKey() const {
    return !open_.empty() && open_.back().node->kind == YamlNode::Kind::kMapping && !open_.back().key_given;
  }

  void OnKey(int line, const std::string& tag, YAML::anchor_t anchor, const std::string& key) {
    Check(line, tag, anchor);
    YamlNode& mapping = *open_.back().node;
    for (const auto& pair : mapping.pairs) {
      if (pair.key != key) continue;
      Refuse(line, "key '" + key + "' is given twice, first in line " + std::to_string(pair.line) +
                       "; remove one of the two");
    }
    mapping.pairs.push_back({key, line, {}});
    open_.back().key_given = true;
  }

  void Check(int line, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) RefuseAnchors(line);
    if (!tag.empty() && tag != "?" && tag != "!") {
      Refuse(line, "tags (" + tag + ") are not supported; write the value without it");
    }
    if (++nodes_ > kMaxYamlNodes) Refuse(line, "this is larger than any config; is it the right file?");
  }

  template <class Fill>
  YamlNode* Add(int line, YAML::anchor_t anchor, const std::string& tag, Fill fill) {
    Check(line, tag, anchor);
    YamlNode* node = Place(line);
    fill(*node);
    return node;
  }

  YamlNode* Place(int line) {
    if (open_.empty()) return &root_;
    Level& level = open_.back();
    if (level.node->kind == YamlNode::Kind::kSequence) {
      level.node->items.emplace_back().line = line;
      return &level.node->items.back();
    }
    if (!level.key_given) Refuse(line, "this stands where a key has to stand; write 'key: value'");
    level.key_given = false;
    auto& pair = level.node->pairs.back();
    pair.value.line = pair.line;
    return &pair.value;
  }

  void Open(int line, const std::string& tag, YAML::anchor_t anchor, YamlNode::Kind kind) {
    if (open_.size() >= kMaxYamlDepth) Refuse(line, "nested deeper than any config; is it the right file?");
    open_.push_back({Add(line, anchor, tag, [kind](YamlNode& node) { node.kind = kind; })});
  }

  void Close() { open_.pop_back(); }

  YamlNode root_;
  std::vector<Level> open_;
  std::size_t nodes_ = 0;
};

Error Fault(const std::string& path, int line, const std::string& what) {
  return {EINVAL, path + ":" + std::to_string(line) + ": " + what};
}

// One file is one document. Nothing of a second one is looked at.
class SecondDocument : public TreeBuilder {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override {
    Refuse(LineOf(mark),
           "a second YAML document begins ('---' or '...' stands above it); one file describes one group: "
           "remove "
           "that line, or give the other group a file of its own");
  }
};

constexpr char kEmpty[] = "the file is empty; remove it, and 'hawser init' writes one to go on from";

bool IsUtf16(const std::string& text) { return text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"); }

YamlNode Parse(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  TreeBuilder builder;
  if (!parser.HandleNextDocument(builder)) Refuse(1, kEmpty);
  YamlNode root = builder.Take();
  if (root.kind == YamlNode::Kind::kNull) Refuse(1, kEmpty);
  SecondDocument second;
  parser.HandleNextDocument(second);
  // yaml-cpp takes the rest of the file for the quoted text.
  if (const auto open = OutlineOf(text).open_quote) throw Refused(*open);
  return root;
}

}  // namespace

const YamlNode* YamlNode::Find(const std::string& key) const {
  const auto found =
      std::find_if(pairs.begin(), pairs.end(), [&](const Pair& pair) { return pair.key == key; });
  return found == pairs.end() ? nullptr : &found->value;
}

Result<YamlNode> ParseYaml(const std::string& text, const std::string& path) {
  if (text.size() > kMaxYamlBytes) {
    return Fault(path, 1,
                 "a config has at most 1 MiB, this has " + std::to_string(text.size()) +
                     " bytes; is it the right file?");
  }
  if (IsUtf16(text)) return Fault(path, 1, "the file is UTF-16; save it as UTF-8");
  if (text.find('\0') != std::string::npos) {
    return Fault(path, 1, "the file holds NUL bytes; is it the right file?");
  }
  if (text.find('\r') != std::string::npos && text.find('\n') == std::string::npos)
    return Fault(path, 1, "the lines end with CR alone; save the file with line ends of Unix (LF)");
  try {
    return Parse(text);
  } catch (const Refused& refused) {
    return Fault(path, refused.fault.line, refused.fault.what);
  } catch (const YAML::ParserException& failure) {
    const YamlFault fault = AdviseOn(text, LineOf(failure.mark), failure.msg);
    return Fault(path, fault.line, fault.what);
  } catch (const std::exception& failure) {
    return Fault(path, 1,
                 std::string("cannot be read as YAML: ") + failure.what() + "; is it the right file?");
  }
}

}  // namespace hawser
