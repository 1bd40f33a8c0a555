/* libFuzzer target: Kafka log segments, whose messages are change records or anything. */
#include "source_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct source_run run;

	source_run(&run,
		   (struct cdc_source_options){
			   .format = "records", .framing = "segment", .topic = "t" },
		   data, size);
	return 0;
}
