// hawser relay: the relay of the group, in the foreground.
#include "relay/relay.h"

#include "cli/commands.h"
#include "cli/daemon.h"
#include "common/base/log.h"

namespace hawser::cli {
namespace {

struct RelayOptionsOfUser {};

Result<Exit> RunRelay(const Session& session, const RelayOptionsOfUser&) {
  HAWSER_ASSIGN(const Config config, LoadConfig(session));
  HAWSER_ASSIGN(Signals signals, ServiceSignals());
  BecomeService("relay", session);
  log::info("relay of group {} from {}", config.group, config.path);

  auto relay = Relay::Start(config);
  if (!relay) {
    Error error = CannotDo(relay.error(), "'hawser check' says what is in the way");
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
  Handle(command, session, std::make_shared<RelayOptionsOfUser>(), RunRelay);
}

}  // namespace hawser::cli
