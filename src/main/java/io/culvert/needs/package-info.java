/** What a tunnel cannot do without: a file that says where it leads, and a machine that can have it. */
@NullMarked
package io.culvert.needs;

import org.jspecify.annotations.NullMarked;
