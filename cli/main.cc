#include "cli/app.h"

int main(int argc, char** argv) { return hawser::cli::Main(argc, argv); }
