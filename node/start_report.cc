#include "node/start_report.h"

namespace hawser {

Report StartReport(Report report, const std::vector<std::unique_ptr<HostedVolume>>& volumes,
                   const StartWatch& watch) {
  for (const auto& hosted : volumes) {
    const bool primary = hosted->known().primary == report.from.node;
    report.volumes.push_back(hosted->ReportStart(primary ? ReplicaRole::kPrimary : ReplicaRole::kSecondary,
                                                 "starting: " + watch.what()));
    const Progress& applied = report.volumes.back().applied;
    if (applied.position.group > report.received.position.group) report.received = applied;
  }
  return report;
}

}  // namespace hawser
