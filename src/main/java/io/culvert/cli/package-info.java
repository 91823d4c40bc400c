/** Commands, printing, exit codes. */
@NullMarked
package io.culvert.cli;

import org.jspecify.annotations.NullMarked;
