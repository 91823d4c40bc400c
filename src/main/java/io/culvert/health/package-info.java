/** Whether the chain works, judged from the kernel and the device. */
@NullMarked
package io.culvert.health;

import org.jspecify.annotations.NullMarked;
