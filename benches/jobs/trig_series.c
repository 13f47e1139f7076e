/* The trigonometric series with OpenMP: n as argument, seconds and answer as JSON. */
#include <math.h>
#include <omp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(int count, char **arguments) {
    if (count != 2) return 2;
    const int64_t n = strtoll(arguments[1], NULL, 10);
    double total = 0;
    const double start = omp_get_wtime();
#pragma omp parallel for simd reduction(+ : total)
    for (int64_t k = 1; k <= n; k++) total += cos((double)k) / (double)k;
    const double seconds = omp_get_wtime() - start;
    printf("{\"seconds\": %.9f, \"answer\": {\"total\": %.17g}}\n", seconds, total);
    return 0;
}
