// hawser relay: the relay of the group, in the foreground.
#include "relay/relay.h"

#include "cli/commands.h"
#include "cli/daemon.h"
#include "cli/foresight.h"
#include "common/base/log.h"

namespace hawser::cli {
namespace {

struct RelayOptionsOfUser {
  bool group_is_examined = false;
};

Result<Exit> RunRelay(const Session& session, const RelayOptionsOfUser& options) {
  HAWSER_ASSIGN(const Config config, LoadConfig(session));
  HAWSER_ASSIGN(Signals signals, ServiceSignals());
  BecomeService("relay", session);
  log::info("relay of group {} from {}", config.group, config.path);
  if (!options.group_is_examined) HAWSER_TRY(SayForeseen(ForeseenForGroup(config)));
  if (const Status able = SayForeseen(ForeseenForRelay(config.relay)); !able)
    return CannotDo("relay: " + able.error().message);

  auto relay = Relay::Start(config);
  if (!relay) {
    Error error = CannotDo(relay.error(), "'hawser check' looks at config and machine");
    error.message = "relay: " + error.message;
    return error;
  }
  ServeUntilSignal(signals, "relay of " + config.group + " at " + (*relay)->write_endpoint(),
                   [] { return false; });
  (*relay)->Stop();
  return Exit::kDone;
}

}  // namespace

void AddRelay(CLI::App& app, Session& session) {
  CLI::App* command =
      AddCommand(app, session, "relay", "Run the relay of the group, until SIGTERM or Ctrl-C",
                 "  hawser relay                     with ./hawser.yaml\n"
                 "  hawser relay -c /etc/hawser/hawser.yaml --log-level debug\n"
                 "  systemctl enable --now hawser-relay\n"
                 "\n"
                 "Logs to stderr and tells systemd when it is ready. The journal's folder, the address and\n"
                 "the ports are those of the config.");
  auto options = std::make_shared<RelayOptionsOfUser>();
  AddGroupIsExamined(*command, options->group_is_examined);
  Handle(command, session, options, RunRelay);
}

}  // namespace hawser::cli
