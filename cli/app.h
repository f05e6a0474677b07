// The hawser program: reads the command line, runs one command, and turns its result into an exit code.
#pragma once

namespace hawser::cli {

int Main(int argc, char** argv);

}  // namespace hawser::cli
