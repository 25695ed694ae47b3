/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A main() for fuzz targets without a fuzzer: each file or folder named on
 * the command line is fed to the target once.  A crash is a failed test.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
feed(const char *path)
{
	FILE *f = fopen(path, "rb");
	static uint8_t bytes[1 << 20];
	size_t n;

	if (f == NULL) {
		perror(path);
		return -1;
	}
	n = fread(bytes, 1, sizeof bytes, f);
	fclose(f);
	LLVMFuzzerTestOneInput(bytes, n);
	return 0;
}

static int
feed_folder(const char *path, unsigned *n)
{
	DIR *d = opendir(path);
	const struct dirent *e;
	char name[4096];
	int rc = 0;

	if (d == NULL) {
		perror(path);
		return -1;
	}
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof name, "%s/%s", path, e->d_name);
		rc |= feed(name);
		(*n)++;
	}
	closedir(d);
	return rc;
}

int
main(int argc, char **argv)
{
	unsigned n = 0;
	int rc = 0;

	for (int i = 1; i < argc; i++)
		rc |= feed_folder(argv[i], &n);
	printf("%u passed, %d failed\n", n, rc != 0);
	return rc == 0 && n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
