/** The pure function from settings, file and machine to the whole desired state. */
@NullMarked
package io.culvert.plan;

import org.jspecify.annotations.NullMarked;
