#include "cli/record_line.h"

#include <fmt/format.h>

#include "cli/output.h"
#include "cli/record_json.h"

namespace hawser::cli {

void PrintRecord(const ShownRecord& shown) {
  fmt::print("{:>10}  group {:<8}  {}  {}  (by {}, generation {})\n", shown.sequence.value, shown.group.value,
             IsoTime(shown.time), Printable(Describe(shown.record)), shown.record.origin.node.value,
             shown.record.generation.value);
}

void PrintRecordAsJson(const ShownRecord& shown) {
  Json json{{"sequence", shown.sequence.value},
            {"group", shown.group.value},
            {"group_time", IsoTime(shown.time)},
            {"text", Utf8(Describe(shown.record))}};
  json.update(ToJson(shown.record, shown.payload.size()));
  PrintJsonLine(json);
}

}  // namespace hawser::cli
