package io.culvert.lab;

import java.util.Map;

/** Those who use the node in the demonstration, and by what mesh they reach it. */
interface Guests {

    /** What the node is started as, in a few words. */
    String title();

    /** The settings that make the node theirs. */
    Map<String, String> settings();

    /** What the node's mesh itself may send by the uplink. */
    String allowed(Observer observer);

    /** Waits until the client may exit by the node, and does so from now on. */
    void exit();

    /** Where the client's questions for names go. */
    String resolver();

    /** Where the neighbour finds the node's proxy. */
    String proxy();
}
