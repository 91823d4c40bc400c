// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;
import org.xbill.DNS.Name;
import org.xbill.DNS.NameTooLongException;

/**
 * Decides which names in a cluster's domain are sent to the cluster's resolver, outside the tunnel. A pod's resolver
 * library appends each domain of the search list to nearly every name ({@code ndots:5}), so most queries that arrive
 * are public names with the cluster's domain appended, which the cluster must not receive.
 *
 * <p>A query is sent to the cluster only if the name can exist there (Kubernetes DNS-Based Service Discovery, version
 * 1.1.0: {@code service.namespace.svc}, {@code hostname.service.namespace.svc},
 * {@code _port._protocol.service.namespace.svc}, {@code address.namespace.pod}), and if it is not a name of the
 * internet with a search domain appended.
 */
final class ClusterNames {

    /** How to respond to a query for a name. */
    sealed interface Decision {

        /** The name does not exist, or is not to be disclosed: NXDOMAIN. */
        record Absent() implements Decision {}

        /** The name exists but has no records. */
        record Empty() implements Decision {}

        /** Query the cluster, unless one of these names, which may be the original ones, exists on the internet. */
        record Forward(List<Name> unlessExist) implements Decision {}
    }

    private static final Pattern LABEL = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");
    private static final Pattern SERVICE_LABEL = Pattern.compile("_[a-z0-9][-a-z0-9]{0,61}");
    private static final Pattern DASHED_ADDRESS =
            Pattern.compile("[0-9]{1,3}(-[0-9]{1,3}){3}|[0-9a-f]{0,4}(-[0-9a-f]{0,4}){2,7}");

    /** A resolver library tries the domains of the search list one after the other, each with a timeout of 5 s. */
    private static final Duration RECENT = Duration.ofSeconds(15);

    private static final int MAX_RECENT = 4096;

    private final Name zone;
    private final List<Name> search;
    private final TopLevelDomains topLevelDomains;
    private final LongSupplier nanoTime;
    private final Map<Name, Long> recent = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Name, Long> eldest) {
            return size() > MAX_RECENT;
        }
    };

    /**
     * Creates the names of a cluster, without recent queries.
     *
     * @param search the search list; domains outside the zone are ignored
     */
    ClusterNames(Name zone, List<Name> search, TopLevelDomains topLevelDomains, LongSupplier nanoTime) {
        this.zone = zone;
        this.search = search.stream()
                .filter(domain -> domain.subdomain(zone))
                .distinct()
                .toList();
        this.topLevelDomains = topLevelDomains;
        this.nanoTime = nanoTime;
    }

    /** Returns how to respond to a query for a name in the zone. */
    synchronized Decision decide(Name name) {
        recent.put(name, nanoTime.getAsLong());
        List<String> labels = labels(name, zone);
        if (labels.isEmpty() || labels.equals(List.of("svc")) || labels.equals(List.of("pod"))) {
            return new Decision.Empty();
        }
        if (!canExist(labels)) {
            return new Decision.Absent();
        }
        if (isWrittenForCluster(name)) {
            return new Decision.Forward(List.of());
        }
        List<Name> unlessExist = new ArrayList<>();
        for (Name domain : search) {
            if (domain.equals(zone) || !name.subdomain(domain)) {
                continue;
            }
            List<String> written = labels(name, domain);
            if (written.size() < 2 || written.getLast().equals("svc") || isOfOwnNamespace(name, domain, written)) {
                continue;
            }
            if (topLevelDomains.contains(written.getLast())) {
                return new Decision.Absent();
            }
            unlessExist.add(absolute(written));
        }
        return new Decision.Forward(unlessExist);
    }

    private static boolean canExist(List<String> labels) {
        List<String> names = labels.subList(0, labels.size() - 1);
        return switch (labels.getLast()) {
            case "svc" ->
                switch (names.size()) {
                    case 2, 3 -> allMatch(LABEL, names);
                    case 4 -> allMatch(SERVICE_LABEL, names.subList(0, 2)) && allMatch(LABEL, names.subList(2, 4));
                    default -> false;
                };
            case "pod" ->
                names.size() == 2
                        && DASHED_ADDRESS.matcher(names.getFirst()).matches()
                        && allMatch(LABEL, names.subList(1, 2));
            default -> labels.equals(List.of("dns-version"));
        };
    }

    /**
     * Returns whether the name was written in full or up to {@code svc}: then the first search domain was tried before.
     */
    private boolean isWrittenForCluster(Name name) {
        return wasExpanded(labels(name, Name.root)) || wasExpanded(labels(name, zone));
    }

    /** Returns whether the name is in the pod's own namespace, written without it, if no longer form was just tried. */
    private boolean isOfOwnNamespace(Name name, Name domain, List<String> written) {
        Name ownDomain = search.getFirst();
        return !domain.equals(ownDomain) && name.subdomain(ownDomain) && !wasExpanded(written);
    }

    /** Returns whether a resolver library has just tried this name with the first search domain. */
    private boolean wasExpanded(List<String> written) {
        if (search.isEmpty()) {
            return false;
        }
        try {
            Name expanded = Name.concatenate(relative(written), search.getFirst());
            Long triedAt = recent.get(expanded);
            return triedAt != null && nanoTime.getAsLong() - triedAt < RECENT.toNanos();
        } catch (NameTooLongException _) {
            return false;
        }
    }

    private static boolean allMatch(Pattern pattern, List<String> labels) {
        return labels.stream().allMatch(label -> pattern.matcher(label).matches());
    }

    /** Returns the labels before a suffix, in lower case. */
    private static List<String> labels(Name name, Name suffix) {
        List<String> labels = new ArrayList<>();
        for (int i = 0; i < name.labels() - suffix.labels(); i++) {
            labels.add(name.getLabelString(i).toLowerCase(Locale.ROOT));
        }
        return labels;
    }

    private static Name absolute(List<String> labels) {
        return Name.fromConstantString(String.join(".", labels) + ".");
    }

    private static Name relative(List<String> labels) {
        return Name.fromConstantString(String.join(".", labels));
    }
}
