#include "volume/mount/switch_role.h"

namespace hawser {

Status SwitchRole(Volume& volume, Session* session, std::shared_ptr<Role> next, Deadline deadline) {
  if (const auto old = volume.roles().role()) old->End();
  const bool writable = next->writable();
  HAWSER_TRY(volume.roles().Replace(std::move(next), deadline));
  if (session == nullptr) return {};
  session->LookWritable(writable);
  session->ForgetAll();
  return {};
}

}  // namespace hawser
