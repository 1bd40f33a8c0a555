/* Prints the Avro schema of DTS events, for containers that make_dump writes. */
#include "source/dts/dts_int.h"

#include <stdio.h>

int main(void)
{
	return puts(dts_schema_json) < 0;
}
