/** Child processes: starting, supervising and reaping them. */
@NullMarked
package io.culvert.process;

import org.jspecify.annotations.NullMarked;
