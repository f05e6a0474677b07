// Positions as msgpack, the same in records and in messages.
#pragma once

#include "common/record/pack.h"
#include "common/record/position.h"

namespace hawser {

// [journal id, sequence, group, digest]
void Pack(Packer& out, const Position& position);
Position UnpackPosition(Unpacker& in, const char* field);

// [position, journal bytes, time]
void Pack(Packer& out, const Progress& progress);
Progress UnpackProgress(Unpacker& in, const char* field);

}  // namespace hawser
