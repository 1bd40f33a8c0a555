/*
 * libFuzzer target: JSON dialects and the telling of formats. The first byte chooses the format;
 * the rest is lines, of messages or, where a format looks at keys and headers, of what kcat -J
 * writes.
 */
#include "source_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct {
		const char *format;
		const char *framing;
	} as[] = {
		{ "canal", "lines" },	    { "maxwell", "lines" },	 { "debezium", "lines" },
		{ "ogg", "lines" },	    { "dms", "lines" },		 { "sls", "lines" },
		{ "dataworks", "lines" },   { "oms", "lines" },		 { "auto", "auto" },
		{ "maxwell", "kcat-json" }, { "debezium", "kcat-json" },
	};
	enum { N = sizeof(as) / sizeof(as[0]) };
	static struct source_run runs[N];
	unsigned i = size ? data[0] % N : 0;

	if (size == 0)
		return 0;
	source_run(&runs[i],
		   (struct cdc_source_options){ .format = as[i].format,
						.framing = as[i].framing,
						.db_table = "d.t",
						.key = "id",
						.control = true },
		   data + 1, size - 1);
	return 0;
}
