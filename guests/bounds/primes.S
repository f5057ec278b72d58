# Prints the primes below 50, by trial.
.include "call.S"
  movl $2, %esi
next:
  movl $2, %ecx
try:
  movl %ecx, %eax
  imull %eax, %eax
  cmpl %esi, %eax
  ja prime
  xorl %edx, %edx
  movl %esi, %eax
  divl %ecx
  testl %edx, %edx
  jz composite
  incl %ecx
  jmp try
prime:
  movl %esi, %ebx
  ask NUMBER
composite:
  incl %esi
  cmpl $50, %esi
  jne next
  ask END
