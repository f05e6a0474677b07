#include "cli/promotion_view.h"

#include <fmt/format.h>

#include <optional>

#include "cli/output.h"

namespace hawser::cli {

namespace {

std::optional<std::uint64_t> Lost(const PromotedVolume& volume) {
  if (!volume.serves) return std::nullopt;
  return volume.acknowledged > volume.applied ? volume.acknowledged.value - volume.applied.value : 0;
}

bool Moved(const PromotedVolume& volume) { return volume.generation != Generation(0); }

}  // namespace

Json PromotionJson(const Promotion& promotion, const std::string& node, double seconds) {
  Json volumes = Json::object();
  for (const PromotedVolume& volume : promotion.volumes) {
    if (!Moved(volume)) continue;
    const auto lost = Lost(volume);
    volumes[volume.volume.value] = {{"from", volume.from.empty() ? Json() : Json(volume.from)},
                                    {"to", node},
                                    {"generation", volume.generation.value},
                                    {"acknowledged", volume.acknowledged.value},
                                    {"applied", volume.applied.value},
                                    {"lost", lost ? Json(*lost) : Json()},
                                    {"planned", volume.planned}};
  }
  Json json{{"volumes", volumes}, {"seconds", seconds}};
  if (promotion.settled && !promotion.progress.empty()) json["note"] = promotion.progress;
  return json;
}

std::string PromotionTable(const Promotion& promotion, const std::string& node, bool with_colour) {
  Table table({{"VOLUME"},
               {"FROM"},
               {"TO"},
               {"GENERATION", true},
               {"ACKNOWLEDGED", true},
               {"APPLIED", true},
               {"LOST", true},
               {"HOW"}},
              with_colour);
  bool any = false;
  for (const PromotedVolume& volume : promotion.volumes) {
    if (!Moved(volume)) continue;
    any = true;
    const auto lost = Lost(volume);
    const bool stays = volume.from == node;
    table.Add({{volume.volume.value},
               {stays || volume.from.empty() ? "-" : volume.from},
               {node},
               {Grouped(volume.generation.value)},
               {Grouped(volume.acknowledged.value)},
               {Grouped(volume.applied.value)},
               {Count(lost), lost && *lost > 0 ? Colour::kBad : Colour::kPlain},
               {stays            ? "as before"
                : volume.planned ? "planned"
                                 : "failover"}});
  }
  return any ? table.Text() : "";
}

std::string PromotionDone(const Promotion& promotion, const std::string& node, double seconds) {
  std::vector<std::string> names;
  for (const PromotedVolume& volume : promotion.volumes) names.push_back(volume.volume.value);
  return fmt::format("node {} is primary of {}; after {}", node, fmt::join(names, ", "),
                     HumanSeconds(seconds));
}

}  // namespace hawser::cli
