package parhelion.toolstack.control;

import java.util.List;

/**
 * What a running guest tells of itself.
 *
 * @param kernel the package or file that it was booted from
 * @param pid of the host process that runs it
 * @param seconds since its boot
 * @param memoryMib what it was given
 * @param heldMib what it has not given up of that: see {@code parhelion memory}
 * @param commands whether it can run commands: its steward answers
 * @param devices their names
 */
public record GuestInfo(
    String name,
    String kernel,
    long pid,
    double seconds,
    int memoryMib,
    int heldMib,
    int vcpus,
    boolean commands,
    List<String> devices) {}
