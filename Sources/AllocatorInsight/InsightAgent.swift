// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import CAllocatorInsight
import Glibc
import Synchronization

/// The thread that samples, answers at the socket, and sees to policies and limits.
///
/// One thread and one call of poll(2). All of its state but what is handed to it is its own.
final class InsightAgent: Sendable {
  static let shared = InsightAgent()

  struct Shared {
    var isRunning = false
    /// The process in which the thread runs: a child has none.
    var process: pid_t = 0
    var socketPath: String?
    /// What the thread takes over when it is woken.
    var newListener: Int32?
    var mustStop = false
    var policies: [ReleasePolicy] = []
    var limits: [MemoryLimit] = []
    var wakeDescriptor: Int32 = -1
    var thread = pthread_t()
  }

  let state = Mutex(Shared())

  // MARK: From any thread

  /// Starts the thread, if it does not run. Returns why it cannot.
  func run(_ shared: inout Shared) -> String? {
    if shared.isRunning && shared.process == getpid() { return nil }
    if shared.process != getpid() {
      shared.socketPath = nil
      shared.newListener = nil
    }
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return "no pipe: \(InsightSocket.errorText)" }
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    // The program's signals are not this thread's.
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, 512 << 10)
    let readEnd = UnsafeMutableRawPointer(bitPattern: Int(ends[0]) + 1)
    let code = pthread_create(
      &shared.thread, &attributes,
      { context in
        InsightAgent.shared.loop(wake: Int32(Int(bitPattern: context) - 1))
        return nil
      }, readEnd)
    guard code == 0 else {
      close(ends[0])
      close(ends[1])
      return "no thread: \(String(cString: strerror(code)))"
    }
    shared.isRunning = true
    shared.process = getpid()
    shared.mustStop = false
    shared.wakeDescriptor = ends[1]
    return nil
  }

  static func wake(_ shared: borrowing Shared) {
    _ = write(shared.wakeDescriptor, "w", 1)
  }

  // MARK: The thread

  /// Seconds between samples at first, and later.
  private static let firstInterval = 1.0
  private static let laterInterval = 5.0
  /// Seconds for which samples are that close.
  private static let firstTime = 180.0
  /// Samples take at most this share of a processor.
  private static let shareOfTime = 1.0 / 500
  private static let mostConnections = 8
  /// Seconds that somebody who asks has for it.
  private static let patience = 5.0

  private func loop(wake: Int32) {
    insight_name_thread("allocators")
    var listener: Int32 = -1
    var connections: [InsightConnection] = []
    var pressure = PressureWatch()
    let start = monotonicSeconds()
    var nextSample = start
    // When connections are taken again, after one could not be: there may be no descriptor left.
    var nextAccept = start
    while true {
      let (mustStop, policies, limits) = state.withLock { shared in
        if let new = shared.newListener {
          listener = new
          shared.newListener = nil
        }
        return (shared.mustStop, shared.policies, shared.limits)
      }
      if mustStop { break }
      var now = monotonicSeconds()
      if now >= nextSample {
        nextSample = sample(from: start, at: now)
        now = monotonicSeconds()
      }
      pressure.isWanted = policies.contains(where: \.needsPressure)
      let wait = tend(policies, limits, at: now, pressure: &pressure)
      connections.removeAll { connection in
        guard connection.deadline <= now else { return false }
        close(connection.descriptor)
        return true
      }

      var descriptors = [pollfd(fd: wake, events: Int16(POLLIN), revents: 0)]
      descriptors.append(pollfd(fd: now < nextAccept ? -1 : listener, events: Int16(POLLIN), revents: 0))
      descriptors.append(pollfd(fd: pressure.descriptor, events: Int16(POLLPRI), revents: 0))
      descriptors += connections.map { pollfd(fd: $0.descriptor, events: $0.events, revents: 0) }
      var timeout = min(nextSample - now, wait)
      if nextAccept > now { timeout = min(timeout, nextAccept - now) }
      for connection in connections { timeout = min(timeout, connection.deadline - now) }
      let ready = poll(&descriptors, nfds_t(descriptors.count), Int32(max(timeout, 0) * 1000) + 1)
      guard ready > 0 else { continue }
      if descriptors[0].revents != 0 {
        var bytes = [UInt8](repeating: 0, count: 64)
        _ = read(wake, &bytes, bytes.count)
      }
      if descriptors[2].revents & Int16(POLLPRI) != 0 { pressure.hasRisen = true }
      if descriptors[2].revents & Int16(POLLERR) != 0 { pressure.disarm() }
      let remaining = connections.enumerated().filter { index, connection in
        guard descriptors[index + 3].revents != 0 else { return true }
        var connection = connection
        if connection.proceed() {
          connections[index] = connection
          return true
        }
        close(connection.descriptor)
        return false
      }
      connections = remaining.map { connections[$0.offset] }
      if descriptors[1].revents != 0, !accept(listener, &connections) { nextAccept = monotonicSeconds() + 1 }
    }
    for connection in connections { close(connection.descriptor) }
    pressure.disarm()
    close(wake)
  }

  /// Takes a sample, and returns when the next one is due: the later, the longer it has taken.
  private func sample(from start: Double, at time: Double) -> Double {
    let process = ProcessMemory.current
    // Where /proc cannot be read just now, there is nothing to remember.
    if process.residentBytes != nil {
      let sample = MemorySample(time: time, process: process, allocator: .current)
      ProcessHistory.shared.withLock { $0.history.add(sample) }
    }
    let end = monotonicSeconds()
    let interval = end - start < Self.firstTime ? Self.firstInterval : Self.laterInterval
    return end + max(interval, (end - time) / Self.shareOfTime)
  }

  /// Takes a connection. Returns whether that worked.
  private func accept(_ listener: Int32, _ connections: inout [InsightConnection]) -> Bool {
    let descriptor = Glibc.accept(listener, nil, nil)
    guard descriptor >= 0 else { return errno == EAGAIN || errno == ECONNABORTED || errno == EINTR }
    let user = insight_peer_user(descriptor)
    guard user == 0 || user == Int64(geteuid()) else {
      close(descriptor)
      return true
    }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    // Whoever is silent makes room for the next.
    if connections.count == Self.mostConnections { close(connections.removeFirst().descriptor) }
    connections.append(InsightConnection(descriptor: descriptor, deadline: monotonicSeconds() + Self.patience))
    return true
  }

  /// Does what policies and limits ask for now. Returns after how many seconds they are to be asked again.
  private func tend(
    _ policies: [ReleasePolicy], _ limits: [MemoryLimit], at now: Double, pressure: inout PressureWatch
  ) -> Double {
    var wait = 3_600.0
    if pressure.isWanted { pressure.look(at: now) }
    for policy in policies { wait = min(wait, policy.tend(at: now, hasPressure: pressure.hasRisen)) }
    pressure.hasRisen = false
    for limit in limits { wait = min(wait, limit.tend(at: now)) }
    return wait
  }
}
