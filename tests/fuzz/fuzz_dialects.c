/*
 * libFuzzer target: JSON dialects and the telling of formats. The first byte chooses the format;
 * the rest is lines.
 */
#include "source_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const formats[] = { "canal", "maxwell",   "debezium", "ogg", "dms",
					       "sls",	"dataworks", "oms",	 "auto" };
	enum { N = sizeof(formats) / sizeof(formats[0]) };
	static struct source_run runs[N];
	unsigned i = size ? data[0] % N : 0;

	if (size == 0)
		return 0;
	source_run(&runs[i],
		   (struct cdc_source_options){ .format = formats[i],
						.framing = i == N - 1 ? "auto" : "lines",
						.db_table = "d.t",
						.key = "id",
						.control = true },
		   data + 1, size - 1);
	return 0;
}
