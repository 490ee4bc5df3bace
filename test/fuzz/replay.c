/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target over the files of a folder, in order of their names, without libFuzzer. */
#include "fuzz.h"
#include <dirent.h>
#include <limits.h>

#define INPUT_MAX (1024 * 1024)

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void replay(const char *folder, const char *name)
{
    static uint8_t input[INPUT_MAX];
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    FUZZ_EXPECT(file != NULL, "cannot open %s", path);
    size_t size = fread(input, 1, sizeof(input), file);
    FUZZ_EXPECT(fclose(file) == 0, "cannot close %s", path);
    fprintf(stderr, "# %s\n", name); /* whom to blame when the process ends here */
    LLVMFuzzerTestOneInput(input, size);
}

int main(int argc, char **argv)
{
    struct dirent **entries;
    int count = argc == 2 ? scandir(argv[1], &entries, is_input, alphasort) : -1;
    FUZZ_EXPECT(count > 0, "usage: %s FOLDER, with files in it", argv[0]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("1..%d\n", count);
    for (int i = 0; i < count; i++) {
        replay(argv[1], entries[i]->d_name);
        printf("ok %d - %s\n", i + 1, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return 0;
}
