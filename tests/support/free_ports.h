// Ports of the loopback address for the processes of a test.
#pragma once

#include <cstdint>
#include <vector>

namespace hawser::test {

// `count` TCP ports that nobody uses now, below the range from which the kernel gives ports to connections.
std::vector<std::uint16_t> FreePorts(std::size_t count);

}  // namespace hawser::test
