/*
 * --property: table properties asked for on the command line.
 */
#include "delta/property.h"
#include "table/target_int.h"

#define SHOWN(s) (int)((s).n > 200 ? 200 : (s).n), (s).p

static struct cdc_str key_of(const char *property)
{
	const char *eq = strchr(property, '=');

	return cdc_str(property, eq ? (size_t)(eq - property) : 0);
}

int target_property(const struct cdc_target *t, size_t i, struct cdc_str *key,
		    struct cdc_str *value, struct cdc_err *err)
{
	const char *const *p = t->opt->property;

	*key = key_of(p[i]);
	if (!key->n)
		return cdc_fail(err, CDC_EUSAGE, "--property %s: not of the form KEY=VALUE", p[i]);
	for (size_t k = 0; k < i; k++)
		if (cdc_str_eq(key_of(p[k]), *key))
			return cdc_fail(err, CDC_EUSAGE, "--property %.*s is given twice",
					SHOWN(*key));
	*value = cdc_str_z(p[i] + key->n + 1);
	return cdc_property_check(*key, *value, err);
}
