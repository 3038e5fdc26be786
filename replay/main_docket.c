#include "proto/peer/descriptors.h"
#include "replay/cli/cli.h"

int main(int argc, char **argv)
{
    dk_descriptors_fill_standard();
    return dk_cli_main(argc, argv);
}
