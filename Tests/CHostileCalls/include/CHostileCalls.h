/// System calls that a captured process would try, made as they are, without the C library between.
#ifndef CHOSTILE_CALLS_H
#define CHOSTILE_CALLS_H

/// Makes the `index`-th call, from 0, and sets its name.
/// Returns 0 when it was carried out, else the error number; -1 when there is no such call.
int hostile_call(int index, const char **name);

/// A system call of a 32-bit program, and one of an x32 program. Where they are not refused, they do nothing.
void hostile_call_32bit(void);
void hostile_call_x32(void);

/// Maps so much memory: 0, or the error number.
int hostile_allocation(unsigned long bytes, int is_shared);

#endif
