/** What is wrong, where, and what cures it. */
@NullMarked
package io.culvert.problem;

import org.jspecify.annotations.NullMarked;
