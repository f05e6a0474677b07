// hawser-local-mount STORE MOUNT: a volume mounted without a relay, until SIGTERM or SIGINT. The bare
// pass-through that tests and benchmarks compare with.
#include <signal.h>
#include <sys/stat.h>

#include <cstdio>

#include "tests/support/local_role.h"
#include "volume/mount/session.h"
#include "volume/mount/switch_role.h"

int main(int argc, char** argv) {
  using namespace hawser;
  if (argc != 3) {
    std::fprintf(stderr, "usage: hawser-local-mount STORE MOUNT\n");
    return 2;
  }
  ::umask(0);
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGTERM);
  ::sigaddset(&ends, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  auto store = Store::Open({argv[1], "local", VolumeName("local")});
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().Text().c_str());
    return 3;
  }
  Volume volume(*std::move(store));
  if (auto begun = SwitchRole(volume, nullptr, std::make_shared<LocalRole>(volume), {}); !begun) return 3;
  SessionOptions options;
  options.mount = argv[2];
  options.name = "local/local";
  options.allow_other = ::geteuid() == 0;
  const auto session = Session::Mount(volume, {}, options);
  if (!session) {
    std::fprintf(stderr, "%s\n", session.error().Text().c_str());
    return 3;
  }
  if (const auto begun = (*session)->Begin(); !begun) {
    std::fprintf(stderr, "%s\n", begun.error().Text().c_str());
    return 3;
  }
  std::puts("mounted");
  std::fflush(stdout);
  int signal = 0;
  ::sigwait(&ends, &signal);
  return 0;
}
