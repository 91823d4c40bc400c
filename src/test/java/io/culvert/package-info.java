@NullMarked
package io.culvert;

import org.jspecify.annotations.NullMarked;
