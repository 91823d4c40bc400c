// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

/** The user name and the password of the proxies. */
public record Login(AccountName user, Password password) {}
