/*
 * Proves what is read of CREATE TABLE: dumps in the ways of MySQL 5.6 to 8.4 and MariaDB, written
 * by hand after their manuals, and what is refused.
 */
#include "source/mysql/create_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static char out[16384];
static size_t len;

static void put(const char *prefix, struct cdc_str s)
{
	len += (size_t)snprintf(out + len, sizeof(out) - len, "%s%.*s", prefix, (int)s.n,
				s.p ? s.p : "");
}

/* "db.table charset=… collate=… key=a,b" and a line a column. */
static const char *show(const struct cdc_ddl *d)
{
	out[0] = '\0';
	len = 0;
	for (uint32_t i = 0; i < d->n; i++) {
		const struct cdc_ddl_table *t = &d->table[i];

		put("", t->db);
		put(".", t->name);
		put(" charset=", t->charset);
		put(" collate=", t->collation);
		put(" key=", CDC_STR(""));
		for (uint32_t k = 0; k < t->n_key; k++)
			put(k ? "," : "", t->key[k]);
		put("\n", CDC_STR(""));
		for (uint32_t k = 0; k < t->n_columns; k++) {
			const struct cdc_ddl_column *c = &t->column[k];

			put("  ", c->name);
			put(" | ", c->type);
			put(c->not_null ? " not-null" : "", CDC_STR(""));
			put(c->is_unsigned ? " unsigned" : "", CDC_STR(""));
			put(c->generated ? " generated" : "", CDC_STR(""));
			if (c->charset.n)
				put(" charset=", c->charset);
			if (c->collation.n)
				put(" collate=", c->collation);
			for (uint32_t v = 0; v < c->n_values; v++)
				put(" value=", c->value[v]);
			put("\n", CDC_STR(""));
		}
	}
	return out;
}

static void expect(const char *sql, const char *want)
{
	struct cdc_ddl d = { .n = 0 };
	struct cdc_err err = CDC_ERR_INIT;

	assert_int_equal(cdc_ddl_parse(&d, cdc_str_z(sql), &err), CDC_OK);
	assert_string_equal(show(&d), want);
	cdc_ddl_free(&d);
}

static void mysql_5(void **state)
{
	(void)state;
	expect("-- MySQL dump 10.13  Distrib 5.6.51\n--\n"
	       "/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;\n"
	       "DROP TABLE IF EXISTS `t`;\n"
	       "/*!40101 SET character_set_client = utf8 */;\n"
	       "CREATE TABLE `t` (\n"
	       "  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,\n"
	       "  `d``q` decimal(7,2) DEFAULT '0.00',\n"
	       "  `n` varchar(20) CHARACTER SET latin1 COLLATE latin1_bin NOT NULL DEFAULT 'a, not "
	       "null) -- x',\n"
	       "  `e` enum('a','it''s','b,c') DEFAULT NULL COMMENT 'primary key (\\'x\\')',\n"
	       "  `s` set('x','y') NOT NULL,\n"
	       "  `z` int(5) unsigned zerofill DEFAULT NULL,\n"
	       "  `ts` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,\n"
	       "  `f` double DEFAULT NULL /*!50606 STORAGE DISK */,\n"
	       "  PRIMARY KEY (`id`,`n`(10)),\n"
	       "  UNIQUE KEY `u` (`n`),\n"
	       "  KEY `k` (`e`) USING BTREE,\n"
	       "  FULLTEXT KEY `ft` (`n`),\n"
	       "  CONSTRAINT `fk` FOREIGN KEY (`s`) REFERENCES `o` (`id`) ON DELETE CASCADE\n"
	       ") ENGINE=InnoDB AUTO_INCREMENT=3 DEFAULT CHARSET=utf8 COMMENT='a;b'\n"
	       "/*!50100 PARTITION BY RANGE (id)\n(PARTITION p0 VALUES LESS THAN (10)) */;\n",
	       ".t charset=utf8 collate= key=id,n\n"
	       "  id | int(10) unsigned not-null unsigned\n"
	       "  d`q | decimal(7,2)\n"
	       "  n | varchar(20) not-null charset=latin1 collate=latin1_bin\n"
	       "  e | enum('a','it''s','b,c') value=a value=it's value=b,c\n"
	       "  s | set('x','y') not-null value=x value=y\n"
	       "  z | int(5) unsigned zerofill unsigned\n"
	       "  ts | timestamp not-null\n"
	       "  f | double\n");
}

static void mysql_8(void **state)
{
	(void)state;
	expect("CREATE DATABASE /*!32312 IF NOT EXISTS*/ `shop` /*!40100 DEFAULT CHARACTER SET "
	       "utf8mb4 */ /*!80016 DEFAULT ENCRYPTION='N' */;\n"
	       "USE `shop`;\n"
	       "CREATE TABLE `a` (\n"
	       "  `id` binary(16) NOT NULL DEFAULT (uuid_to_bin(uuid(),1)),\n"
	       "  `j` json DEFAULT (json_object(_utf8mb4'a',1)),\n"
	       "  `v` int GENERATED ALWAYS AS ((json_value(`j`, _utf8mb4'$.x') + (1))) VIRTUAL NOT "
	       "NULL /*!80023 INVISIBLE */,\n"
	       "  `g` point NOT NULL /*!80003 SRID 4326 */,\n"
	       "  `bits` bit(3) DEFAULT b'101',\n"
	       "  `m` bigint DEFAULT -1,\n"
	       "  `ts` timestamp(6) NULL DEFAULT CURRENT_TIMESTAMP(6),\n"
	       "  PRIMARY KEY (`ID`) USING BTREE,\n"
	       "  KEY `fn` (((`m` + 1)),`id` DESC),\n"
	       "  CONSTRAINT `c` CHECK ((`m` > 0)) /*!80016 NOT ENFORCED */\n"
	       ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;\n"
	       "INSERT INTO `a` VALUES ('CREATE TABLE `no` (x int);');\n"
	       "DELIMITER ;;\n"
	       "CREATE PROCEDURE `p`()\nBEGIN\n CREATE TABLE no2 (a int);\nEND ;;\n"
	       "DELIMITER ;\n"
	       "CREATE TABLE other.b (a int key, `key` text, c national varchar(3), unique (c));",
	       "shop.a charset=utf8mb4 collate=utf8mb4_0900_ai_ci key=id\n"
	       "  id | binary(16) not-null\n"
	       "  j | json\n"
	       "  v | int not-null generated\n"
	       "  g | point not-null\n"
	       "  bits | bit(3)\n"
	       "  m | bigint\n"
	       "  ts | timestamp(6)\n"
	       "other.b charset= collate= key=a\n"
	       "  a | int not-null\n"
	       "  key | text\n"
	       "  c | national varchar(3)\n");
}

static void mariadb(void **state)
{
	(void)state;
	expect("/*M!999999\\- enable the sandbox mode */ \n"
	       "CREATE OR REPLACE TABLE IF NOT EXISTS `t` (\n"
	       "  `id` int(11) NOT NULL DEFAULT nextval(`d`.`s`),\n"
	       "  `c` varchar(10) /*!100301 COMPRESSED*/ DEFAULT NULL,\n"
	       "  `j` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK "
	       "(json_valid(`j`)),\n"
	       "  `u` uuid DEFAULT uuid(),\n"
	       "  `p` double precision AS (`id` * 2) STORED,\n"
	       "  `row_start` timestamp(6) GENERATED ALWAYS AS ROW START,\n"
	       "  PERIOD FOR SYSTEM_TIME (`row_start`, `row_start`),\n"
	       "  VECTOR KEY `v` (`u`),\n"
	       "  PRIMARY KEY (`id`)\n"
	       ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci WITH SYSTEM "
	       "VERSIONING\n",
	       ".t charset=utf8mb4 collate=utf8mb4_general_ci key=id\n"
	       "  id | int(11) not-null\n"
	       "  c | varchar(10)\n"
	       "  j | longtext charset=utf8mb4 collate=utf8mb4_bin\n"
	       "  u | uuid\n"
	       "  p | double precision generated\n"
	       "  row_start | timestamp(6) generated\n");
	expect("create table x.y (\"a b\" char(3) character set ascii, s serial, l long varchar, "
	       "d dec ( 5 , 2 ) , b char byte)",
	       "x.y charset= collate= key=\n"
	       "  a b | char(3) charset=ascii\n"
	       "  s | serial not-null unsigned\n"
	       "  l | long varchar\n"
	       "  d | dec(5,2)\n"
	       "  b | char byte\n");
	expect("CREATE TEMPORARY TABLE t (a int); CREATE VIEW v AS SELECT 1;;", "");
}

static void refused(void **state)
{
	static const struct {
		const char *sql;
		const char *want;
	} cases[] = {
		{ "create table t like u;",
		  "line 1: CREATE TABLE without a list of columns at \"like\"" },
		{ "\ncreate table t (a int", "line 2: the statement is not complete: the list of "
					     "columns is not closed" },
		{ "create table t (a enum('x)", "line 1: the statement is not complete: the size "
						"of a type is not closed" },
		{ "create table t (a)", "line 1: a column has no type at \")\"" },
		{ "create table t (primary key (a))", "line 1: CREATE TABLE without columns" },
		{ "create table t (a int, primary key (b))",
		  "line 1: the primary key has no column b" },
		{ "create table t (a int) comment='x", "line 1: the statement is not complete: a "
						       "quote is not closed" },
		{ "insert into t values ('\\');\ncreate table u (a int);",
		  "line 2: the statement is not complete: a quote is not closed" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cdc_ddl d = { .n = 0 };
		struct cdc_err err = CDC_ERR_INIT;

		assert_int_equal(cdc_ddl_parse(&d, cdc_str_z(cases[i].sql), &err), CDC_EDATA);
		assert_memory_equal(err.msg, cases[i].want, strlen(cases[i].want));
		cdc_ddl_free(&d);
	}
}

static void find(void **state)
{
	struct cdc_ddl d = { .n = 0 };
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	assert_int_equal(cdc_ddl_parse(&d,
				       CDC_STR("create table a.t (x int); create table b.t (y "
					       "int); create table a.t (z int)"),
				       &err),
			 CDC_OK);
	assert_ptr_equal(cdc_ddl_find(&d, CDC_STR("a"), CDC_STR("t")), &d.table[2]);
	assert_ptr_equal(cdc_ddl_find(&d, CDC_STR("b"), CDC_STR("t")), &d.table[1]);
	assert_ptr_equal(cdc_ddl_find(&d, CDC_STR(""), CDC_STR("t")), &d.table[2]);
	assert_null(cdc_ddl_find(&d, CDC_STR("a"), CDC_STR("T")));
	cdc_ddl_free(&d);
}

/* What --schema takes: statements, or a list for any table, also of columns that begin like one. */
static void given(void **state)
{
	static const char *const lists[] = { "user_id BIGINT, created DATE",
					     "created DATE, user_id BIGINT", " useful INT",
					     "`use` INT, `create` DATE" };
	static const char *const bad[] = { "use shop", "-- nothing", "create view v as select 1",
					   "/* a", "id" };
	struct cdc_ddl d = { .n = 0 };
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const struct cdc_ddl_table *t;

		assert_int_equal(cdc_ddl_given(&d, lists[i], &err), CDC_OK);
		t = cdc_ddl_find_given(&d, CDC_STR("any"), CDC_STR("any"));
		assert_non_null(t);
		assert_int_equal(t->n_columns, i == 2 ? 1 : 2);
		cdc_ddl_free(&d);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(cdc_ddl_given(&d, bad[i], &err), CDC_EUSAGE);
		cdc_ddl_free(&d);
	}
	/* A statement is for its own database, if it names one. */
	assert_int_equal(
		cdc_ddl_given(&d, "create table t (x int); use b; CREATE TABLE t (y int)", &err),
		CDC_OK);
	assert_ptr_equal(cdc_ddl_find_given(&d, CDC_STR("b"), CDC_STR("t")), &d.table[1]);
	assert_ptr_equal(cdc_ddl_find_given(&d, CDC_STR("a"), CDC_STR("t")), &d.table[0]);
	assert_ptr_equal(cdc_ddl_find_given(&d, CDC_STR(""), CDC_STR("t")), &d.table[1]);
	assert_null(cdc_ddl_find_given(&d, CDC_STR("b"), CDC_STR("u")));
	cdc_ddl_free(&d);
	assert_int_equal(cdc_ddl_given(&d, "create table b.t (x int)", &err), CDC_OK);
	assert_null(cdc_ddl_find_given(&d, CDC_STR("a"), CDC_STR("t")));
	cdc_ddl_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mysql_5), cmocka_unit_test(mysql_8), cmocka_unit_test(mariadb),
		cmocka_unit_test(refused), cmocka_unit_test(find),    cmocka_unit_test(given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
