/** One run of the program: what it finds around it, whom it tells, its ways to the kernel, its turn, what it takes back. */
@NullMarked
package io.culvert.run;

import org.jspecify.annotations.NullMarked;
