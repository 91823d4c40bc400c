/** Child processes: spawned, supervised, reaped. */
@NullMarked
package io.culvert.process;

import org.jspecify.annotations.NullMarked;
