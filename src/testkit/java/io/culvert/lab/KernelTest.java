// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;

/** A test that is also run in the kernel lab's guest, whose kernel is another one and has WireGuard. */
@Tag("kernel")
@Inherited
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
public @interface KernelTest {}
