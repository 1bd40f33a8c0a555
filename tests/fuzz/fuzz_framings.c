/*
 * libFuzzer target: dumps of Kafka as text. The first byte chooses the framing and, of kcat's own
 * formats, the format; the rest is the dump.
 */
#include "source_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct {
		const char *framing;
		const char *kcat_format;
	} kinds[] = {
		{ "console", NULL },
		{ "dump-log", NULL },
		{ "kcat-json", NULL },
		{ "kcat-format", "%T %p %o %K %S\\n%k%s\\n" },
		{ "kcat-format", "%t/%p/%o %k|%s\\x0a%%\\n" },
		{ "kcat-format", "%o=%R%s|" },
	};
	enum { N = sizeof(kinds) / sizeof(kinds[0]) };
	static struct source_run runs[N];
	unsigned i = size ? data[0] % N : 0;

	if (size == 0)
		return 0;
	source_run(&runs[i],
		   (struct cdc_source_options){ .format = "maxwell",
						.framing = kinds[i].framing,
						.kcat_format = kinds[i].kcat_format,
						.topic = "t" },
		   data + 1, size - 1);
	return 0;
}
