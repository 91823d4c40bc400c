/** The catalogue of settings and how they are read. */
@NullMarked
package io.culvert.settings;

import org.jspecify.annotations.NullMarked;
