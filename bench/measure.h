// What hawser-bench measures. Each function runs for about `time` and gives calls per second; errors end the
// program, as a benchmark that could not do its work has no result.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

namespace hawser::bench {

// Calls `call` with 0, 1, 2... on each of `jobs` threads, until the time is over or a thread has called it
// `limit` times. `call` gets the thread's number first.
double Rate(int jobs, std::chrono::milliseconds time, std::size_t limit,
            const std::function<void(int job, std::size_t i)>& call);

// Ends the program with `what` and the reason in errno, unless `well`.
void Require(bool well, const std::string& what);

// Calls on a directory, be it of a mount or of a plain filesystem.
double RandomWrites(const std::string& folder, std::size_t bytes, int jobs, std::chrono::milliseconds time);
double SequentialWrites(const std::string& folder, std::size_t bytes, int jobs,
                        std::chrono::milliseconds time);
struct FileRates {
  double create = 0;  // open with O_CREAT, write 4 KiB, close
  double stat = 0;
  double rename = 0;
  double unlink = 0;
};
FileRates Files(const std::string& folder, std::chrono::milliseconds time);

// The parts no synchronous replication over TCP can do without.
double TcpRoundTrips(std::size_t bytes, std::chrono::milliseconds time);  // `bytes` there, 64 back
double Appends(const std::string& folder, std::size_t bytes, std::chrono::milliseconds time);  // + fdatasync

}  // namespace hawser::bench
