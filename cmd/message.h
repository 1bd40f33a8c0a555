/*
 * One line for people on standard error: "program: place: level: text".
 */
#ifndef CDC_CMD_MESSAGE_H
#define CDC_CMD_MESSAGE_H

/*
 * Print a message in one write, as other programs of the pipe share the terminal. `place` is "" or
 * ends with a space. What could steer a terminal is escaped in all parts, since file names and
 * input are quoted in messages; a line that is too long is cut.
 */
void message_print(const char *program, const char *place, const char *level, const char *text);

#endif
