#include "tests/crash/points.h"

namespace hawser::test {

const std::vector<Point>& Points() {
  static const std::vector<Point> points = {
      {"relay", "relay.appended:40", true, "a group is appended and not flushed"},
      {"relay", "relay.flushed:40", true, "a group is flushed and not answered"},
      {"relay", "relay.replied:40", true, "a group is answered and not published"},
      {"relay", "file.written~sequencer.state:1", false, "the sequencer's state is written and not in place",
       "delta"},
      {"relay", "relay.promoted:1", false, "a promotion is journaled, and nobody may know of it", "",
       "charlie"},
      {"alpha", "roles.replica_ended:1", false, "a primary is to become a copy, and hasn't begun", "",
       "charlie"},
      {"alpha", "roles.changed:1", false, "a primary has become a copy, and doesn't follow yet", "",
       "charlie"},
      {"charlie", "roles.replica_ended:1", false, "a copy is to become primary, and hasn't begun", "",
       "charlie"},
      {"charlie", "roles.changed:1", false, "a copy has become primary, and nobody knows of it", "",
       "charlie"},
      {"alpha", "primary.decided:60", true, "a call passed its checks and is not sent"},
      {"alpha", "request.sent:60", true, "a record is sent and not answered"},
      {"alpha", "primary.acknowledged:60", true, "a record is acknowledged and not applied"},
      {"alpha", "primary.applied:60", true, "a record is applied and its caller not answered"},
      {"alpha", "primary.redoing:20", true, "in the middle of redo after a crash"},
      {"alpha", "primary.store_synced:2", false, "the store is flushed and the checkpoint not written"},
      {"alpha", "file.written~checkpoint:2", false, "the checkpoint is written and not in place"},
      {"charlie", "secondary.received:40", true, "a group is received and not appended"},
      {"charlie", "secondary.appended:40", true, "a group is appended to the own journal and not flushed"},
      {"charlie", "secondary.flushed:40", true, "a group is in the own journal and not applied"},
      {"charlie", "secondary.applying:40", true, "in the middle of a group"},
      {"charlie", "secondary.applied:40", true, "groups are applied and not reported"},
      {"charlie", "secondary.redoing:20", true, "in the middle of redo after a crash"},
      {"charlie", "secondary.store_synced:2", false, "a store is flushed and the checkpoint not written"},
      {"charlie", "file.written~checkpoint:3", false, "the checkpoint is written and not in place"},
  };
  return points;
}

}  // namespace hawser::test
