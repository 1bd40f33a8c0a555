/* libFuzzer target: binlogs. A checksum that does not fit costs an event, so logs without are fed.
 */
#include "source_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct source_run run;

	source_run(&run, (struct cdc_source_options){ .format = "binlog", .control = true }, data,
		   size);
	return 0;
}
