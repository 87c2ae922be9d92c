/// Shifts the wall clock of the program it is linked into, as the clock of a host that is wrong would be: by the whole
/// seconds in the environment variable CLOCK_SHIFT_SECONDS. The monotonic clocks are left alone.
#ifndef CSHIFTED_CLOCK_H
#define CSHIFTED_CLOCK_H

/// The shift in seconds, 0 for none.
long shifted_clock_seconds(void);

#endif
