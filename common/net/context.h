// The process's ZeroMQ context, hidden: zmq headers are included by common/net's .cc files and socket.h only.
#pragma once

#include <memory>

namespace zmq {
class context_t;
}

namespace hawser {

class NetContext {
 public:
  NetContext();
  ~NetContext();
  zmq::context_t& zmq() { return *context_; }

 private:
  std::unique_ptr<zmq::context_t> context_;
};

}  // namespace hawser
