package parhelion.toolstack.control;

import java.util.List;

/**
 * What a running guest tells of itself.
 *
 * @param kernel the package or file that it was booted from
 * @param pid of the host process that runs it
 * @param seconds since its boot
 * @param commands whether it can run commands: its steward answers
 * @param devices their names
 */
public record GuestInfo(
    String name,
    String kernel,
    long pid,
    double seconds,
    int memoryMib,
    int vcpus,
    boolean commands,
    List<String> devices) {}
