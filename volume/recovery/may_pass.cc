#include "volume/recovery/may_pass.h"

#include <cerrno>

namespace hawser {

// What a disk or a process that is in trouble gives. Whatever else a store says, it will say again.
bool MayPass(int code, bool has_room) {
  switch (code) {
    case ENOSPC:
      return !has_room;
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EIO:
    case EINTR:
    case EAGAIN:
    case EBUSY:
    case ETXTBSY:
    case EROFS:
    case ENODEV:
    case ENXIO:
    case ESTALE:
    case ETIMEDOUT:
    case ECANCELED:
    case ENOTCONN:
    case EHOSTDOWN:
    case EHOSTUNREACH:
      return true;
    default:
      return false;
  }
}

}  // namespace hawser
